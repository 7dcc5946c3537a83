/** Licence and source from a model card's head (the YAML between two lines of ---, as Hugging Face writes README.md). */

export interface ModelCard {
  licence: string
  source: string
}

/** Empty where the card says nothing. */
export function readModelCard(readme: string, config: unknown): ModelCard {
  const head = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(readme)?.[1] ?? ''
  // Line by line: a pattern over blanks of any number would keep the engine busy for hours over a hostile card.
  const lines = head.split('\n').map((line) => line.trimEnd())
  const field = (name: string): string => {
    const at = lines.findIndex((line) => line.startsWith(`${name}:`))
    if (at < 0) return ''
    const own = lines[at]!.slice(name.length + 1).trim()
    const first = (lines[at + 1] ?? '').trimStart()
    return (own === '' && first.startsWith('- ') ? first.slice(2).trim() : own).replace(/^(['"])(.*)\1$/, '$2')
  }
  const name = (config as { _name_or_path?: unknown } | null)?._name_or_path
  const publishedName = typeof name === 'string' && /^[\w.-]+\/[\w.-]+$/.test(name) ? name : ''
  return {
    licence: (field('license_name') || field('license')).slice(0, 300),
    source: (publishedName || field('base_model')).slice(0, 1000),
  }
}
