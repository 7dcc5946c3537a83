import type { BackboneRecord } from '../domain/backbones.ts'
import { AppError } from '../domain/errors.ts'
import { backboneTensors, listImportedBackbones, removeBackbone, setBackboneDetails, startAddBackbone, verifyImportedBackbone } from '../jobs/backbones.ts'
import type { Workspace } from '../jobs/workspace.ts'
import type { CliOutput } from './output.ts'
import { required, type CliOptions } from './options.ts'

/** `lacuna backbones list|show|add|edit|verify|remove`. */
export async function backbonesCommand(workspace: Workspace, action: string, options: CliOptions, output: CliOutput, onInterrupt: (cancel: () => void) => void): Promise<void> {
  switch (action) {
    case 'list': {
      const backbones = listImportedBackbones(workspace)
      return output.result(backbones, backbones.map(describe).join('\n') || 'No imported backbones; mmbt-minilm-resnet50 is always there.')
    }
    case 'show': {
      const backbone = workspace.store.backbones.get(required(options, 'backbone'))
      const tensors = backboneTensors(workspace, backbone.backboneId)
      const table = tensors.map(({ name, shape, count, storedType, isUsed }) => `  ${name}  [${shape.join(', ')}]  ${count}  ${storedType}${isUsed ? '' : '  not used'}`)
      return output.result({ ...backbone, tensors }, [describe(backbone), ...table].join('\n'))
    }
    case 'add': {
      const adding = startAddBackbone(workspace, { from: required(options, 'from'), name: options.name ?? '', licence: options.licence ?? '', source: options.source ?? '' }, output.progress)
      onInterrupt(adding.cancel)
      const added = await adding.done
      if (added === null) {
        process.exitCode = 130
        return
      }
      return output.result(added, `Added:\n${describe(added)}${added.notes.map((note) => `\n  ${note}`).join('')}`)
    }
    case 'edit': {
      const { backboneId, name, licence, source } = workspace.store.backbones.get(required(options, 'backbone'))
      const edited = setBackboneDetails(workspace, backboneId, { name: options.name ?? name, licence: options.licence ?? licence, source: options.source ?? source })
      return output.result(edited, describe(edited))
    }
    case 'verify': return verify(workspace, options, output)
    case 'remove': {
      const backboneId = required(options, 'backbone')
      removeBackbone(workspace, backboneId)
      return output.result({ backboneId }, `Removed ${backboneId}; the record stays for the runs that name it.`)
    }
    default: throw new AppError('CLI_USAGE', `"backbones" needs one of list, show, add, edit, verify, remove, not "${action}".`)
  }
}

async function verify(workspace: Workspace, options: CliOptions, output: CliOutput): Promise<void> {
  const ids = options.backbone === undefined ? listImportedBackbones(workspace).map(({ backboneId }) => backboneId) : [options.backbone]
  const checks = []
  for (const id of ids) {
    const check = await verifyImportedBackbone(workspace, id, output.progress)
    if (check !== null) checks.push(check)
  }
  if (checks.some(({ isIntact }) => !isIntact)) process.exitCode = 3
  output.result(checks, checks.map(({ backboneId, isIntact, files }) =>
    isIntact ? `${backboneId}: intact (${files.length} files)` : `${backboneId}: ${files.filter(({ state }) => state !== 'intact').map(({ detail }) => detail).join('; ')}`).join('\n') || 'No imported backbones.')
}

function describe({ backboneId, name, reads, parameterCount, sizes, licence, source }: BackboneRecord): string {
  const facts = [`reads ${reads}`, `${parameterCount} parameters`, `${sizes.blocks} blocks of width ${sizes.width}`, `licence ${licence || 'not stated'}`, ...(source === '' ? [] : [source])]
  return `${backboneId}  ${name}  (${facts.join(', ')})`
}
