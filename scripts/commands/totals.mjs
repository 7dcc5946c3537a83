/** Adds counts of several steps. */
export function addTotals(...parts) {
  return parts.reduce((sum, part) => ({
    passed: sum.passed + part.passed, failed: sum.failed + part.failed, skipped: sum.skipped + part.skipped,
  }), { passed: 0, failed: 0, skipped: 0 })
}

/** The closing line, alone on its line: `12 passed, 0 failed` and `, 1 skipped` where something was. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
