import { foldName, type FileIndex, type FileMatch } from './file-index.ts'

/**
 * Finds the file of each patient for a file-name pattern: `{id}` stands for the patient ID, `*` for any characters inside a
 * name, and the extension may be left out. A pattern without "/" is compared with file names, one with "/" with the end of the path.
 */
export function createPatternFinder(pattern: string, index: FileIndex, patientIds: Iterable<string>): (patientId: string) => FileMatch {
  const hasWildcard = pattern.includes('*')
  if (!hasWildcard) return (patientId) => index.find(pattern.replaceAll('{id}', patientId))
  const matches = matchAll(foldName(pattern), index, new Set([...patientIds].map(foldName)))
  return (patientId) => {
    const found = matches.get(foldName(patientId)) ?? []
    if (found.length === 0) return { kind: 'none' }
    return found.length === 1 ? { kind: 'found', path: found[0]! } : { kind: 'ambiguous', count: found.length }
  }
}

/**
 * One pass over the files instead of one for each patient: wherever `{id}` may begin and end in a name, the piece is looked up
 * among the known IDs first and only then compared with the rest of the pattern.
 */
function matchAll(pattern: string, index: FileIndex, ids: ReadonlySet<string>): Map<string, string[]> {
  const at = pattern.indexOf('{id}')
  const before = pattern.slice(0, at)
  const after = pattern.slice(at + '{id}'.length)
  let longest = 0
  for (const id of ids) longest = Math.max(longest, id.length)
  const beforeTest = new RegExp(`^${wildcardSource(before)}$`, 'u')
  const afterTests = new Map<string, RegExp>()
  const afterTest = (id: string): RegExp => {
    // Only a second {id} makes the rest depend on the patient.
    const key = after.includes('{id}') ? id : ''
    let test = afterTests.get(key)
    if (!test) {
      const hasExtension = /\.[a-z0-9]{2,5}$/.test(after)
      test = new RegExp(`^${wildcardSource(after.replaceAll('{id}', id))}${hasExtension ? '' : '(?:\\.[a-z0-9]+)?'}$`, 'u')
      afterTests.set(key, test)
    }
    return test
  }
  const matches = new Map<string, string[]>()
  for (const path of index.paths) {
    for (const subject of subjects(foldName(path), pattern.includes('/'))) {
      const starts = before.includes('*') ? [...Array(subject.length).keys()] : [before.length]
      for (const start of starts) {
        if (!beforeTest.test(subject.slice(0, start))) continue
        for (let end = start + 1; end <= Math.min(subject.length, start + longest); end++) {
          const id = subject.slice(start, end)
          if (!ids.has(id) || !afterTest(id).test(subject.slice(end))) continue
          const held = matches.get(id) ?? []
          if (!held.includes(path)) held.push(path)
          matches.set(id, held)
        }
      }
    }
  }
  return matches
}

/** What a pattern is compared with: the file name, or every tail of the path that begins at a folder. */
function subjects(path: string, hasFolders: boolean): string[] {
  if (!hasFolders) return [path.slice(path.lastIndexOf('/') + 1)]
  const parts = path.split('/')
  return parts.map((_, index) => parts.slice(index).join('/'))
}

function wildcardSource(text: string): string {
  return text.split('*').map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')).join('[^/]*')
}
