/** Settings of LoRA with their sources stand in the domain, where runs keep them. */
export { loraSettingsSchema as loraConfigSchema, type LoraSettings as LoraConfig } from '../../domain/method-settings.ts'
