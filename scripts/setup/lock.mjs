import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { report } from './progress.mjs'

const HEARTBEAT_MS = 2000
const STALE_MS = 60_000

/**
 * Runs `task` while holding a lock file, waiting for another set-up or build to finish first. The holder touches the
 * file every two seconds; a lock whose process is gone, or that was not touched for a minute, is taken over, so that a
 * killed run never blocks the next one.
 */
export async function withLock(path, area, task) {
  await mkdir(dirname(path), { recursive: true })
  const token = JSON.stringify({ pid: process.pid, nonce: Math.random().toString(36).slice(2) })
  let isWaiting = false
  while (!(await tryTake(path, token))) {
    if (!isWaiting) report(area, 'another run is at work on the same folder; waiting for it')
    isWaiting = true
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const heartbeat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, HEARTBEAT_MS)
  heartbeat.unref()
  try {
    return await task()
  } finally {
    clearInterval(heartbeat)
    if ((await readText(path)) === token) await rm(path, { force: true })
  }
}

async function tryTake(path, token) {
  try {
    await writeFile(path, token, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  const held = await readText(path)
  if (held === undefined || !(await isStale(path, held))) return false
  // Move it aside and look again: between reading and moving, a third run may have taken over already.
  const aside = `${path}.${process.pid}`
  try {
    await rename(path, aside)
  } catch {
    return false
  }
  const isTheStaleOne = (await readText(aside)) === held
  if (!isTheStaleOne) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
  return isTheStaleOne ? tryTake(path, token) : false
}

async function isStale(path, held) {
  let pid
  try {
    pid = JSON.parse(held).pid
  } catch {
    pid = undefined   // killed between creating and writing: judged by age alone
  }
  const info = await stat(path).catch(() => undefined)
  if (info && Date.now() - info.mtimeMs > STALE_MS) return true
  return pid !== undefined && !isAlive(pid)
}

/** True while a process with this number runs. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

async function readText(path) {
  return readFile(path, 'utf8').catch(() => undefined)
}
