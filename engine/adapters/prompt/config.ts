/** Settings of missing-aware prompts with their sources stand in the domain, where runs keep them. */
export { promptSettingsSchema as promptConfigSchema, type PromptSettings as PromptConfig } from '../../domain/method-settings.ts'
