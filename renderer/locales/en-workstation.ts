/** Strings of the backbones page and the workstation page. Numbers arrive formatted. */
export const enWorkstation = {
  title: 'This workstation',
}
