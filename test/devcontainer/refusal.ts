import { ActionError } from "../../src/errors.ts";

/** The message to a person that `attempt` ends in; anything else it does is a failure of the test. */
export async function refusalOf(attempt: () => unknown): Promise<ActionError> {
  try {
    await attempt();
  } catch (thrown) {
    if (thrown instanceof ActionError) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was refused.");
}
