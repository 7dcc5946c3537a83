/** Settings of full fine-tuning with their sources stand in the domain, where runs keep them. */
export { fullSettingsSchema as fullConfigSchema, type FullSettings as FullConfig } from '../../domain/method-settings.ts'
