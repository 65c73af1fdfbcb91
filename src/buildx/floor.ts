import type { Clock } from "../world.ts";

/** Whose lines are told when several steps talk at the same time. Every function gives the lines that can be told now. */
export type Floor = {
  /** A step begins: its header is told when it gets the floor. */
  readonly begin: (step: string, header: string) => readonly string[];
  readonly say: (step: string, lines: readonly string[]) => readonly string[];
  /** A step ends: `ending` closes what it said, `brief` stands for the whole of a step of which nothing was told yet. */
  readonly finish: (step: string, end: Ending) => readonly string[];
  readonly isFree: () => boolean;
  /** The build is over: all that was kept back. */
  readonly clear: () => readonly string[];
};

export type Ending = { readonly brief: string; readonly ending: string };

/** What a step has to say. One that says it all in a line has no header. */
type Turn = { header: string | undefined; held: string[]; isIntroduced: boolean; isOver: boolean };

type State = {
  readonly turns: Map<string, Turn>;
  speaker: string | undefined;
  /** The step under whose header the last line stands. */
  heading: string | undefined;
  spokeAt: number;
};

/** Milliseconds of silence after which a step gives way to another that has something to say. */
export const PATIENCE = 5000;

/**
 * One step has the floor: its lines are told at once, for people watch. The lines of the others wait until it ends, or has been silent
 * for some seconds, so that each step can be read in one piece. Nothing is left out: BuildKit itself limits what a step prints (2 MiB),
 * and the line that somebody looks for would be among the missing ones.
 * @param clock for the silence. There is no timer: what is kept back is told with the next thing that happens.
 */
export function openFloor(clock: Clock): Floor {
  const state: State = { turns: new Map(), speaker: undefined, heading: undefined, spokeAt: 0 };
  const timed = (told: readonly string[]): readonly string[] => {
    if (told.length > 0) state.spokeAt = clock();
    return told;
  };
  const hear = (step: string, turn: Turn): readonly string[] => {
    if (step === state.speaker) {
      if (turn.isOver) state.speaker = undefined;
      return timed([...tell(state, step, turn), ...letSpeak(state)]);
    }
    if (clock() - state.spokeAt >= PATIENCE) state.speaker = undefined;
    return timed(letSpeak(state));
  };
  return {
    begin(step, header) {
      turnOf(state, step, header);
      return timed(letSpeak(state));
    },
    say(step, lines) {
      const turn = turnOf(state, step, step);
      for (const line of lines) turn.held.push(line);
      return hear(step, turn);
    },
    finish(step, { brief, ending }) {
      const turn = turnOf(state, step, step);
      const isBrief = !turn.isIntroduced && turn.held.length === 0;
      if (isBrief) turn.header = undefined;
      turn.held.push(isBrief ? brief : ending);
      turn.isOver = true;
      return hear(step, turn);
    },
    isFree: () => state.speaker === undefined,
    clear() {
      const turns = [...state.turns].filter(([, { held }]) => held.length > 0);
      state.speaker = undefined;
      return turns.flatMap(([step, turn]) => tell(state, step, turn));
    },
  };
}

function turnOf({ turns }: State, step: string, header: string): Turn {
  const turn = turns.get(step) ?? { header, held: [], isIntroduced: false, isOver: false };
  turns.set(step, turn);
  return turn;
}

/** What a step has to say, under its header; where another step spoke in between, under its header again. */
function tell(state: State, step: string, turn: Turn): string[] {
  const { header, held, isIntroduced, isOver } = turn;
  const isHeaded = header === undefined || state.heading === step || (isIntroduced && held.length === 0);
  const told = isHeaded ? held : [isIntroduced ? `${header} (goes on)` : header, ...held];
  if (told.length > 0) state.heading = isOver ? undefined : step;
  turn.held = [];
  turn.isIntroduced = true;
  if (isOver) state.turns.delete(step);
  return told;
}

/** While nobody has the floor: those that have ended, then whoever has something to say, then whoever began first. */
function letSpeak(state: State): string[] {
  const told: string[] = [];
  while (state.speaker === undefined) {
    const waiting = [...state.turns];
    const chosen =
      waiting.find(([, { isOver }]) => isOver) ??
      waiting.find(([, { held }]) => held.length > 0) ??
      waiting.find(([, { isIntroduced }]) => !isIntroduced) ??
      waiting[0];
    if (chosen === undefined) break;
    const [step, turn] = chosen;
    if (!turn.isOver) state.speaker = step;
    for (const line of tell(state, step, turn)) told.push(line);
  }
  return told;
}
