/**
 * The closing words of the set-up: which Electron, which Node, what computes and why.
 * @param {import('./read-setup.d.mts').Setup} setup
 * @param {{ command?: string, missingLibraries: string[] }} notes what the person still has to install
 */
export function summarise(setup, { command, missingLibraries }) {
  const { tensorflow } = setup
  const electron = setup.electronPath
    ? `${setup.electronVersion} (${setup.electronSource}): ${setup.electronReason}`
    : `none: ${setup.electronReason}. The window cannot be opened; "npm run lacuna" works`
  const compute = {
    cuda: `NVIDIA GPU, TensorFlow ${tensorflow.version} with CUDA`,
    cpu: `CPU, TensorFlow ${tensorflow.version}`,
    package: `TensorFlow ${tensorflow.version} from the tfjs-node-gpu installer`,
    none: 'WebAssembly, a last resort: training takes 20 to 50 times longer',
  }[tensorflow.kind]
  const lines = [
    '',
    'Lacuna is set up',
    `  Electron  ${electron}`,
    `  Node      ${setup.nodeVersion} at ${setup.nodePath}`,
    `  Compute   ${compute}; ${tensorflow.reason}`,
    `  Weights   ${Object.keys(setup.weights).sort().join(', ')}: every file checked`,
    `  Screen    ${setup.hasXvfb ? 'Xvfb is there for tests without a display' : 'no Xvfb: tests of the window need a display'}`,
    `  Cache     ${setup.cacheDir}`,
  ]
  if (missingLibraries.length > 0) lines.push(`  Missing   system libraries for Electron: ${missingLibraries.join(', ')}`)
  if (command) lines.push(`  To do     ${command}`)
  return `${lines.join('\n')}\n\n`
}
