/** Licence and source from a model card's head (the YAML between two lines of ---, as Hugging Face writes README.md). */

export interface ModelCard {
  licence: string
  source: string
}

/** Empty where the card says nothing. */
export function readModelCard(readme: string, config: unknown): ModelCard {
  const head = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(readme)?.[1] ?? ''
  const field = (name: string) => new RegExp(`^${name}:\\s*(.+?)\\s*$`, 'm').exec(head)?.[1]?.replace(/^(['"])(.*)\1$/, '$2') ?? ''
  const name = (config as { _name_or_path?: unknown } | null)?._name_or_path
  const publishedName = typeof name === 'string' && /^[\w.-]+\/[\w.-]+$/.test(name) ? name : ''
  return {
    licence: (field('license_name') || field('license')).slice(0, 300),
    source: (publishedName || field('base_model')).slice(0, 1000),
  }
}
