/** Settings of SSF with their sources stand in the domain, where runs keep them. */
export { ssfSettingsSchema as ssfConfigSchema, type SsfSettings as SsfConfig } from '../../domain/method-settings.ts'
