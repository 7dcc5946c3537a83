/** Shows the page as it shall be printed while `print` goes on: every picture loaded, every part unfolded, in the light colours. */
export async function onPaper<T>(print: () => Promise<T>): Promise<T> {
  const root = document.documentElement
  const { theme } = root.dataset
  const folded = [...document.querySelectorAll<HTMLDetailsElement>('details:not([open])')]
  root.dataset['theme'] = 'light'
  for (const details of folded) details.open = true
  try {
    await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)))
    return await print()
  } finally {
    for (const details of folded) details.open = false
    if (theme === undefined) delete root.dataset['theme']
    else root.dataset['theme'] = theme
  }
}
