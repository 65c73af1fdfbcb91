import type { Answer, World } from "../world.ts";
import { LAG } from "./claim.ts";

/** Asks for what was just pushed: a registry may say for a moment that it has not what it has just taken. */
export async function patiently<T>(ask: () => Promise<Answer<T>>, { pause }: Pick<World, "pause">): Promise<Answer<T>> {
  let answer = await ask();
  for (const wait of LAG) {
    if (answer.kind !== "absent") break;
    await pause(wait);
    answer = await ask();
  }
  return answer;
}
