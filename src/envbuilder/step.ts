import type { Place } from "../errors.ts";

/** One instruction of one stage, in the order in which they are executed. */
export type Step = {
  readonly stage: number;
  readonly at: Place;
  /** Its source in one line, as the image's history tells it. */
  readonly text: string;
  /** 64 hexadecimal digits: the tag under which a layer is kept. */
  readonly key: string;
  /** Whether its layer is kept there, as that of RUN and COPY is; the others' layers are empty. */
  readonly isLookedUp: boolean;
};
