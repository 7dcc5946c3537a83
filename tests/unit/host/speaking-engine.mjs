/** An engine of two jobs: any that starts with a request file never says a word, the others say that they live and end after two seconds. */
process.on('message', (message) => {
  if (message.type !== 'start' || message.requestFile) return
  const speaking = setInterval(() => process.send({ type: 'alive', jobId: message.jobId }), 20)
  setTimeout(() => {
    clearInterval(speaking)
    process.send({ type: 'result', jobId: message.jobId, result: 'done' })
  }, 2000)
})
