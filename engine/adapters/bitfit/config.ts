/** Settings of BitFit with their sources stand in the domain, where runs keep them. */
export { ownWeightsSettingsSchema as bitfitConfigSchema, type OwnWeightsSettings as BitfitConfig } from '../../domain/method-settings.ts'
