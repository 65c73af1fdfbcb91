import { reworded } from "../errors.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Report } from "./report.ts";

/**
 * What others have said, without what this run has hidden: before it becomes Markdown or JSON, where no runner would know a secret again. Names
 * that later jobs need stay as they are.
 * @param hide puts asterisks in the place of each secret.
 */
export function hideInReport(report: Report, hide: (text: string) => string): Report {
  const { failure, reasons, steps, notPushed, verdict } = report;
  return {
    ...report,
    failure: failure && reworded(failure, hide),
    reasons: reasons.map((reason) => ({ ...reason, text: hide(reason.text) })),
    steps: steps.map((one) => ({ ...one, steps: one.steps.map((step) => ({ ...step, name: hide(step.name) })) })),
    notPushed: notPushed && { ...notPushed, why: hide(notPushed.why), fix: hide(notPushed.fix) },
    verdict:
      verdict && "doubt" in verdict && verdict.doubt
        ? { ...verdict, doubt: hideInDoubt(verdict.doubt, hide) }
        : verdict,
  };
}

function hideInDoubt(doubt: Doubt, hide: (text: string) => string): Doubt {
  const what = hide(doubt.what);
  if (doubt.kind === "plan") return { ...doubt, what, fix: hide(doubt.fix) };
  const { error } = doubt;
  const fix = "fix" in error && error.fix !== undefined ? { fix: hide(error.fix) } : {};
  return { ...doubt, what, error: { ...error, words: hide(error.words), ...fix } };
}
