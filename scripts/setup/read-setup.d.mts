export type Setup = {
  fingerprint: string
  nodePath: string
  nodeVersion: string
  electronPath: string | null
  electronVersion: string | null
  electronSource: 'official' | 'fallback' | null
  electronReason: string
  tensorflow: {
    kind: 'cuda' | 'cpu' | 'package' | 'none'
    version: string | null
    reason: string
    folder: string | null
  }
  weights: { minilm: string; resnet50: string }
  cacheDir: string
  hasXvfb: boolean
  missingSystemPackages: string[]
}
export function readSetup(path?: string): Setup | undefined
export function setupFingerprint(root?: string): string
export function isSetupCurrent(setup: Setup | undefined, root?: string): boolean
export function setupEnvironment(setup: Setup, root?: string): Record<string, string>
