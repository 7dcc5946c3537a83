/** Collects the outcome of every reference case and prints one line for each. */

/** One reference folder known to this project. `run` throws only for a broken folder, never for a wrong number. */
export interface GoldenItem {
  name: string
  run(folder: string, report: GoldenReport, options: GoldenOptions): Promise<void>
}

export interface GoldenOptions {
  /** Folder of real data sets, for items that need one. */
  dataDir: string | null
  /** Folder of the embedded weights packages (holds `minilm/`). */
  weightsDir: string
}

export interface GoldenReport {
  /** Passes when the error is a number not above the bound. */
  check(caseName: string, error: number, bound: number): void
  /** Passes when the condition holds; an error of 0 or 1 against a bound of 0. */
  checkThat(caseName: string, isRight: boolean, detail?: string): void
  /** Names something in the folder that this runner does not judge. */
  notChecked(what: string): void
}

export interface GoldenTotals {
  passed: number
  failed: number
  notChecked: number
}

/** A report that writes lines through `write`, all of them prefixed with the item name. */
export function createReport(item: string, write: (line: string) => void): GoldenReport & { totals: GoldenTotals } {
  const totals: GoldenTotals = { passed: 0, failed: 0, notChecked: 0 }
  const judge = (caseName: string, isRight: boolean, numbers: string) => {
    if (isRight) totals.passed += 1
    else totals.failed += 1
    write(`${isRight ? 'PASS' : 'FAIL'} ${item}/${caseName} ${numbers}`)
  }
  return {
    totals,
    check(caseName, error, bound) {
      judge(caseName, error <= bound, `error=${formatNumber(error)} bound=${formatNumber(bound)}`)
    },
    checkThat(caseName, isRight, detail) {
      judge(caseName, isRight, `error=${isRight ? 0 : 1} bound=0${detail === undefined ? '' : ` (${detail})`}`)
    },
    notChecked(what) {
      totals.notChecked += 1
      write(`NOT CHECKED ${item}/${what}`)
    },
  }
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toExponential(2)
}
