/**
 * Text as it may go to a terminal: whoever may write to a store also writes what its manifests and pins say, and a
 * control character there would move the cursor, hide what stands above or rename the window.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, "?");
}
