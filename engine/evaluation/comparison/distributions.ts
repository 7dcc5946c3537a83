/**
 * Tail probabilities and quantiles of the distributions behind the tests of this folder.
 * Incomplete gamma and beta: series and continued fractions (modified Lentz), Numerical Recipes 3rd ed., 6.2 and 6.4.
 * Tails are computed directly, never as 1 - cdf, so that small p-values keep their digits.
 */
const EPSILON = 1e-16
const TINY = 1e-300
const MAX_TERMS = 100_000

// Lanczos coefficients (g = 607/128, 15 terms), relative error below 1e-14.
const LANCZOS = [
  0.99999999999999709182, 57.156235665862923517, -59.597960355475491248, 14.136097974741747174,
  -0.49191381609762019978, 0.33994649984811888699e-4, 0.46523628927048575665e-4, -0.98374475304879564677e-4,
  0.15808870322491248884e-3, -0.21026444172410488319e-3, 0.2174396181152126432e-3, -0.16431810653676389022e-3,
  0.84418223983852743293e-4, -0.2619083840158140867e-4, 0.36899182659531622704e-5,
]

/** Natural log of the gamma function for x > 0. */
export function logGamma(x: number): number {
  let sum = LANCZOS[0]!
  for (let i = 1; i < LANCZOS.length; i += 1) sum += LANCZOS[i]! / (x + i)
  const t = x + 607 / 128 + 0.5
  return (x + 0.5) * Math.log(t) - t + Math.log((Math.sqrt(2 * Math.PI) * sum) / x)
}

/** Regularised upper incomplete gamma Q(a, x), a > 0, x >= 0. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < MAX_TERMS && Math.abs(term) > EPSILON * Math.abs(sum); n += 1) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - front * sum
  }
  let b = x + 1 - a
  let c = 1 / TINY
  let d = 1 / b
  let h = d
  for (let i = 1; i < MAX_TERMS; i += 1) {
    const an = -i * (i - a)
    b += 2
    d = 1 / guard(an * d + b)
    c = guard(b + an / c)
    const factor = d * c
    h *= factor
    if (Math.abs(factor - 1) < EPSILON) break
  }
  return front * h
}

/** Regularised incomplete beta I_x(a, b); `complement` is 1 - x, passed separately to keep its digits. */
export function incompleteBeta(x: number, a: number, b: number, complement: number = 1 - x): number {
  if (x <= 0) return 0
  if (complement <= 0) return 1
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(complement),
  )
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(complement, b, a)) / b
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m < MAX_TERMS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guard(1 + even * d)
    c = guard(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guard(1 + odd * d)
    c = guard(1 + odd / c)
    const factor = d * c
    h *= factor
    if (Math.abs(factor - 1) < EPSILON) break
  }
  return h
}

function guard(value: number): number {
  return Math.abs(value) < TINY ? TINY : value
}

/** P(Z > z) of the standard normal. */
export function normalUpperTail(z: number): number {
  const half = upperGamma(0.5, (z * z) / 2) / 2
  return z >= 0 ? half : 1 - half
}

/** Standard normal quantile for 0 < q < 1: a rational start (Abramowitz and Stegun 26.2.23) and Halley steps. */
export function normalQuantile(q: number): number {
  if (!(q > 0 && q < 1)) throw new RangeError(`Quantile level ${q} must lie strictly between 0 and 1.`)
  if (q === 0.5) return 0
  const tail = Math.min(q, 1 - q)
  const t = Math.sqrt(-2 * Math.log(tail))
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  for (let i = 0; i < 4; i += 1) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
    const step = (normalUpperTail(z) - tail) / density
    z += step / (1 - (z * step) / 2)
  }
  return q < 0.5 ? -z : z
}

/** P(X > x) of chi-square with `degrees` > 0. */
export function chiSquareUpperTail(x: number, degrees: number): number {
  return upperGamma(degrees / 2, x / 2)
}

/** P(T > t) of Student's t with `degrees` > 0. */
export function studentUpperTail(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return t > 0 ? 0 : 1
  const square = t * t
  const half = incompleteBeta(degrees / (degrees + square), degrees / 2, 0.5, square / (degrees + square)) / 2
  return t >= 0 ? half : 1 - half
}

/** P(X <= k) for X ~ Binomial(n, 1/2). */
export function fairBinomialLowerTail(k: number, n: number): number {
  let sum = 0
  for (let i = 0; i <= k; i += 1) {
    sum += Math.exp(logGamma(n + 1) - logGamma(i + 1) - logGamma(n - i + 1) - n * Math.LN2)
  }
  return Math.min(1, sum)
}
