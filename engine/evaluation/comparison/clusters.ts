/**
 * By how much the variance of a count or a rank statistic over studies is larger where the studies of a person are all alike, against as many
 * independent ones: the sum of squared sizes over the sum of sizes. Kish 1965, Survey Sampling, section 5.4, at an intraclass correlation of
 * 1; the mean size would do for persons with equally many studies only. 1 where everybody has one study.
 *
 * @param sizes number of studies of each person
 */
export function designEffect(sizes: Iterable<number>): number {
  let [sum, squares] = [0, 0]
  for (const size of sizes) {
    sum += size
    squares += size * size
  }
  return sum === 0 ? 1 : squares / sum
}
