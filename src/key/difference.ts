/** One reason why this plan is not the previous one, in the user's words, with the place in the user's files where there is one. */
export type Difference = {
  readonly part: "yours" | "upstream" | "label" | "recipe";
  readonly ingredient:
    | "platform"
    | "configuration"
    | "dockerfile"
    | "context"
    | "argument"
    | "option"
    | "base"
    | "frontend"
    | "feature"
    | "label"
    | "recipe"
    | "age";
  readonly text: string;
  readonly at?: { readonly file: string; readonly line?: number };
};

/** Where in the user's files the current ingredients stand. */
export type Places = {
  readonly configuration: string;
  readonly dockerfile: string | undefined;
  /** By platform, the lines of the Dockerfile's instructions that count, in the shape of `Yours["dockerfile"]["stages"]`. */
  readonly instructions: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly arguments: Readonly<Record<string, { readonly file: string; readonly line?: number }>>;
  readonly bases: Readonly<Record<string, { readonly file: string; readonly line?: number }>>;
  /** The context's folder, relative to the workspace; `.` for the workspace itself. */
  readonly context: string;
  /** Options of the build, as they stand in the plan: the place that asks for one, or the input. */
  readonly options: Readonly<
    Record<string, { readonly file: string; readonly line?: number } | { readonly input: string }>
  >;
  /** By id, as it is written. */
  readonly features: Readonly<Record<string, { readonly file: string; readonly line?: number }>>;
};

/** A member of its own: whoever writes `ARG constructor` does not mean what every object of JavaScript has by that name. */
export function memberOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
