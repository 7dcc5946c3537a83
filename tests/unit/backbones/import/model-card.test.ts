import { describe, expect, it } from 'vitest'
import { readModelCard } from '../../../../engine/backbones/import/model-card.ts'

const card = (...lines: string[]): string => ['---', ...lines, '---', '# A model', 'license: not this one'].join('\n')

describe('licence and source of a model card', () => {
  it.each([
    ['plain', card('license: mit', 'base_model: someone/tiny'), 'mit', 'someone/tiny'],
    ['in quotation marks, with line ends of Windows', card('license: "apache-2.0"', "base_model: 'someone/tiny' ").replaceAll('\n', '\r\n'), 'apache-2.0', 'someone/tiny'],
    ['a list, and a licence with a name of its own', card('base_model:', '- someone/first', '- someone/second', 'license: other', 'license_name: hospital-only'), 'hospital-only', 'someone/first'],
    ['indented below another field', card('model-index:', '  - name: x', '    license: of a part'), '', ''],
    ['without a head', '# A model\nlicense: mit', '', ''],
  ])('%s', (_, readme, licence, source) => {
    expect(readModelCard(readme, {})).toEqual({ licence, source })
  })

  it('takes the published name of the configuration for the source', () => {
    expect(readModelCard('', { _name_or_path: 'someone/tiny' }).source).toBe('someone/tiny')
    expect(readModelCard('', { _name_or_path: '/home/someone/tiny' }).source).toBe('')
  })

  it('is read at once, however many blanks it holds', () => {
    const started = performance.now()
    readModelCard(card(`license: a${' '.repeat(2_000_000)}b`), {})
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})
