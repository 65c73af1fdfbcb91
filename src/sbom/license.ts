/** A licence, or one with an exception; no operator. */
const LICENSE = /^(?!(?:AND|OR|WITH)(?: |$))[A-Za-z0-9.+:-]+(?: WITH (?!(?:AND|OR|WITH)$)[A-Za-z0-9.+:-]+)?$/;

/**
 * The licences that an SPDX expression names, each once: `MIT OR Apache-2.0` names two, a licence WITH its exception is one. What is no such
 * expression is one licence as it stands.
 * @see https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
 */
export function licensesOf(expression: string): readonly string[] {
  const licenses = expression
    .replace(/[()\s]+/g, " ")
    .trim()
    .split(/ (?:AND|OR) /);
  return licenses.every((license) => LICENSE.test(license)) ? [...new Set(licenses)] : [expression];
}
