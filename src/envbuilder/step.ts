import type { Place } from "../errors.ts";

/** One instruction of one stage, in the order in which they are executed. */
export type Step = {
  readonly stage: number;
  readonly at: Place;
  /** Its source in one line, as the image's history tells it. */
  readonly text: string;
  /** 64 hexadecimal digits: the tag under which a layer is kept. */
  readonly key: string;
  readonly layer: StepLayer;
  /** The paths of the context that are hashed for it. */
  readonly taken: readonly string[];
  /** What decides a layer that is not kept and stands in no key: by which names ADD puts what it takes, and what variables have said. */
  readonly beside?: string;
};

export type StepLayer =
  /** Under its key, as that of RUN and COPY. */
  | "kept"
  | "empty"
  /** Empty where the builder finds the folder of a WORKDIR, or of an earlier stage's VOLUME, there already. */
  | "unsure"
  /** Nowhere but in the image: that of ADD, and those in which a stage's VOLUME leaves its folder. */
  | "unkept";
