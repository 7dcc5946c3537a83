/** Offers a file to the user; the window asks where to put it. */
export function saveFile(name: string, content: Blob | string, type: string): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The address must outlive the click: the download starts after it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
