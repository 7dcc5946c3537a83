import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX from 'eslint-plugin-import-x'
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'
import vueParser from 'vue-eslint-parser'

// Engine layers from the top down: each may import those below it, never one above.
const layers = ['training', 'adapters', 'backbones', 'modalities', 'compute']
const maths = ['modalities', 'backbones', 'adapters', 'training', 'evaluation', 'fingerprint', 'alarms']

const fromEngine = (...folders) => folders.map((folder) => `./engine/${folder}`)
const layerZones = layers.slice(1).map((layer, index) => ({
  target: `./engine/${layer}`,
  from: fromEngine(...layers.slice(0, index + 1)),
  message: `engine/${layer} lies below ${layers.slice(0, index + 1).join(', ')}: pass what it needs as an argument, or move the code up.`,
}))

/** CONVENTIONS section 3, line by line; what composes store and engine is listed in DECISIONS.md. */
const zones = [
  { target: './engine/domain', from: ['./engine', './electron', './renderer'], except: ['./domain'], message: 'engine/domain imports zod and itself only: move the type there, or the code out.' },
  { target: './engine/store', from: ['./engine', './electron', './renderer'], except: ['./domain', './store'], message: 'engine/store imports engine/domain only: let engine/jobs compose store and engine.' },
  { target: fromEngine('importers', 'modalities', 'backbones', 'adapters', 'training', 'evaluation', 'compute', 'worker.ts', 'protocol.ts'), from: './engine/store', message: 'The engine never opens the store: it gets data by message and returns results. Compose them in engine/jobs.' },
  { target: fromEngine('importers', 'modalities', 'backbones', 'adapters', 'training', 'evaluation', 'compute', 'host', 'worker.ts', 'protocol.ts'), from: './engine/jobs', message: 'engine/jobs composes store and engine and lies above both: pass what is needed as an argument.' },
  { target: './engine/host', from: './engine', except: ['./domain', './host', './protocol.ts'], message: 'engine/host imports domain, protocol and node only: it must start without loading the engine.' },
  { target: './engine/evaluation', from: './engine', except: ['./domain', './evaluation'], message: 'engine/evaluation is plain arrays in, plain numbers out: read tensors in the caller.' },
  { target: './engine/fingerprint', from: './engine', except: ['./domain', './evaluation', './fingerprint'], message: 'engine/fingerprint is plain arrays in, plain numbers out: read files and rows in the caller.' },
  { target: './engine/alarms', from: './engine', except: ['./domain', './evaluation', './fingerprint', './compute/rng.ts', './compute/random-source.ts', './compute/sample-rows.ts', './importers/label-words.ts', './alarms'], message: 'engine/alarms is plain columns in, findings out: read the store in engine/jobs/alarms.' },
  { target: './engine/protocol.ts', from: './engine', except: ['./domain'], message: 'The protocol is made of domain schemas only.' },
  ...layerZones,
  { target: './engine', from: ['./electron', './renderer'], message: 'The engine runs without a window: move shared code to engine/domain.' },
  { target: './electron/contract', from: ['./engine', './electron', './renderer'], except: ['./domain', './contract'], message: 'The contract is made of engine/domain schemas only.' },
  { target: './electron', from: './renderer', message: 'The shell never imports the renderer: talk to it through the contract.' },
  { target: './renderer', from: ['./electron'], except: ['./contract'], message: 'The renderer sees electron/contract only: call it through renderer/api.ts.' },
  { target: './renderer', from: ['./engine'], except: ['./domain'], message: 'The renderer sees engine/domain only: ask main for the value.' },
]

const bans = {
  electron: { name: 'electron', message: 'Only electron/ imports electron: pass what you need as an argument.' },
  database: { name: 'better-sqlite3', message: 'Only engine/store imports better-sqlite3: add a repository function.' },
}
const nodeModules = { group: ['node:*', 'fs', 'path', 'os', 'child_process', 'crypto', 'worker_threads'], message: 'No Node here: it runs anywhere. Pass the value in.' }
const tensorflow = { group: ['@tensorflow/*'], message: 'No TensorFlow here: it belongs to the engine process.' }
const machineImports = { group: ['vue', 'pinia', 'vue-router', 'vue/*'], message: 'The engine runs without a window.' }
const restrict = (paths, patterns = []) => ['error', { paths, patterns }]

const asyncTidy = {
  selector: "CallExpression[callee.property.name='tidy'] > :function[async=true]",
  message: 'tf.tidy takes no async function: it frees tensors at the first await. Use try/finally and dispose.',
}
const ipcOutside = { selector: "MemberExpression[object.name='ipcMain']", message: 'Only electron/ipc talks to ipcMain: register a handler there.' }
const clockAndChance = [
  { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: 'No Math.random in engine maths: take a seeded generator as a parameter.' },
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'No clock in engine maths: take the time as a parameter.' },
  { selector: "NewExpression[callee.name='Date']", message: 'No clock in engine maths: take the time as a parameter.' },
]

export default tseslint.config(
  { ignores: ['dist/', 'release/', 'node_modules/', '.lacuna/', 'demo-output/', 'screenshots/', 'test-results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,mts,js,mjs,cjs,vue}'],
    extends: [tseslint.configs.recommended],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: ['tsconfig.node.json', 'tsconfig.web.json'], extensions: ['.ts', '.vue', '.mjs', '.js'], noWarnOnMultipleProjects: true })] },
    rules: {
      'no-console': 'error',
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'no-restricted-imports': restrict([bans.electron, bans.database]),
      'no-restricted-syntax': ['error', asyncTidy, ipcOutside],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.vue'],
    extends: [vue.configs['flat/recommended']],
    languageOptions: { parser: vueParser, parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.vue'] } },
    rules: {
      'vue/no-v-html': 'error',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/first-attribute-linebreak': 'off',
      'vue/multi-word-component-names': 'off',
      'vue/attributes-order': 'off',
      'vue/require-default-prop': 'off',
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
    },
  },
  { files: ['engine/**/*.ts'], rules: { 'no-restricted-imports': restrict([bans.electron, bans.database], [machineImports]) } },
  { files: maths.map((folder) => `engine/${folder}/**/*.ts`), rules: { 'no-restricted-syntax': ['error', asyncTidy, ipcOutside, ...clockAndChance] } },
  { files: ['engine/evaluation/**/*.ts'], rules: { 'no-restricted-imports': restrict([bans.electron, bans.database], [machineImports, tensorflow]) } },
  { files: ['engine/domain/**/*.ts', 'electron/contract/**/*.ts'], rules: { 'no-restricted-imports': restrict([bans.electron, bans.database], [machineImports, tensorflow, nodeModules]) } },
  { files: ['engine/store/**/*.ts'], rules: { 'no-restricted-imports': restrict([bans.electron], [machineImports, tensorflow]) } },
  { files: ['electron/**/*.ts'], ignores: ['electron/contract/**'], rules: { 'no-restricted-imports': restrict([bans.database], [tensorflow]) } },
  { files: ['electron/ipc/**/*.ts'], rules: { 'no-restricted-syntax': ['error', asyncTidy] } },
  { files: ['renderer/**/*.{ts,vue}'], rules: { 'no-restricted-imports': restrict([bans.electron, bans.database], [nodeModules, tensorflow]) } },
  { files: ['renderer/**/*.{ts,vue}'], ignores: ['renderer/api.ts'], rules: { 'no-restricted-properties': ['error', { object: 'window', property: 'api', message: 'Only renderer/api.ts touches window.api.' }] } },
  // Tests drive everything, the store and Electron included.
  { files: ['tests/**/*.{ts,mjs}'], rules: { 'no-restricted-imports': 'off', 'max-lines': 'off' } },
  { files: ['renderer/locales/**'], rules: { 'max-lines': 'off' } },
  // CommonJS by need: the probe hands a patched util to a CommonJS package before loading it.
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
)
