import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { titleClippedCells } from './composables/common/clipped-titles.ts'
import { router } from './router.ts'
import './styles/tokens.css'
import './styles/base.css'

titleClippedCells(document)
createApp(App).use(createPinia()).use(router).mount('#app')
