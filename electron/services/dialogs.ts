import { BrowserWindow, dialog } from 'electron'
import type { Dialogs } from '../ipc/context.ts'
import { revealFile } from '../window.ts'

/**
 * The system's own dialogs. A test names the answers beforehand in LACUNA_TEST_DIALOGS (a JSON object of call to path),
 * because no automation reaches a native dialog.
 */
export function createDialogs(): Dialogs {
  const answers = JSON.parse(process.env.LACUNA_TEST_DIALOGS ?? '{}') as Record<string, string>
  const parent = () => BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0]!
  return {
    chooseFolder: async () => {
      if (answers.chooseFolder) return answers.chooseFolder
      const chosen = await dialog.showOpenDialog(parent(), { title: 'Folder with the images', properties: ['openDirectory'] })
      return chosen.filePaths[0] ?? null
    },
    chooseBackbone: async (what) => {
      if (answers.chooseBackbone) return answers.chooseBackbone
      const chosen = await dialog.showOpenDialog(parent(), what === 'folder'
        ? { title: 'Folder of the backbone, with config.json and its weights', properties: ['openDirectory'] }
        : { title: 'Weights file of the backbone', properties: ['openFile'], filters: [{ name: 'Weights', extensions: ['safetensors', 'bin', 'ckpt', 'pt', 'pth'] }] })
      return chosen.filePaths[0] ?? null
    },
    chooseTable: async (folder) => {
      if (answers.chooseTable) return answers.chooseTable
      const chosen = await dialog.showOpenDialog(parent(), {
        title: 'Table with one row for each patient, study or image',
        properties: ['openFile'],
        filters: [{ name: 'Tables', extensions: ['csv', 'tsv', 'txt', 'xlsx'] }],
        ...(folder ? { defaultPath: folder } : {}),
      })
      return chosen.filePaths[0] ?? null
    },
    chooseWordList: async () => {
      if (answers.chooseWordList) return answers.chooseWordList
      const chosen = await dialog.showOpenDialog(parent(), { title: 'Words to remove, one in each line', properties: ['openFile'], filters: [{ name: 'Text', extensions: ['txt', 'csv'] }] })
      return chosen.filePaths[0] ?? null
    },
    chooseMapping: async () => {
      if (answers.chooseMapping) return answers.chooseMapping
      const chosen = await dialog.showOpenDialog(parent(), { title: 'Exported mapping', properties: ['openFile'], filters: [{ name: 'Mapping', extensions: ['json'] }] })
      return chosen.filePaths[0] ?? null
    },
    chooseSaveFile: async (suggestedName) => {
      if (answers.chooseSaveFile) return answers.chooseSaveFile
      const chosen = await dialog.showSaveDialog(parent(), { title: 'Save', defaultPath: suggestedName, filters: [suggestedName.endsWith('.json') ? { name: 'JSON', extensions: ['json'] } : suggestedName.endsWith('.pdf') ? { name: 'PDF', extensions: ['pdf'] } : { name: 'CSV', extensions: ['csv'] }] })
      if (chosen.filePath) setImmediate(() => revealFile(chosen.filePath))
      return chosen.filePath || null
    },
  }
}
