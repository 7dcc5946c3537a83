import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What the CUDA libraries need in the environment; empty for the CPU build. */
export function libraryEnvironment(folder) {
  const nvidia = join(folder, 'deps', 'nvidia')
  if (!existsSync(nvidia)) return {}
  const paths = readdirSync(nvidia).map((name) => join(nvidia, name, 'lib')).filter((path) => existsSync(path))
  const compiler = join(nvidia, 'cuda_nvcc')
  return {
    LD_LIBRARY_PATH: [...paths, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
    PATH: `${join(compiler, 'bin')}:${process.env.PATH}`,
    XLA_FLAGS: `--xla_gpu_cuda_data_dir=${compiler}`,
  }
}
