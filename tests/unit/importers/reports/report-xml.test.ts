import { expect, it } from 'vitest'
import { isXmlReport, parseXmlReport } from '../../../../engine/importers/reports/report-xml.ts'

const report = (inside: string): string => `<?xml version="1.0"?><!-- made by hand --><eCitation><uId id="CXR7"/>${inside}</eCitation>`

it('reads sections, terms and images, comments and literal text aside', () => {
  const text = report('<Abstract><!-- <AbstractText Label="FINDINGS">not this</AbstractText> --><AbstractText Label="FINDINGS">Heart &lt; half &amp; <b>clear</b>.</AbstractText><AbstractText Label="IMPRESSION"/><AbstractText Label="INDICATION"><![CDATA[a < b & c]]></AbstractText></Abstract>' +
    '<MeSH><major>Lung/clear</major><major>normal</major></MeSH><parentImage id="CXR7_1"><x/></parentImage><parentImage id=\'CXR7_2\'>')
  expect(isXmlReport(text)).toBe(true)
  expect(parseXmlReport(text)).toEqual({
    uid: '7', sections: new Map([['findings', 'Heart < half & clear .'], ['indication', 'a < b & c']]), terms: ['Lung/clear', 'normal'], images: ['CXR7_1', 'CXR7_2'],
  })
  expect(parseXmlReport(text.slice(0, -4))).toBeNull()
  expect(isXmlReport('<html><eCitation>')).toBe(false)
})

it.each([
  ['comments side by side', () => isXmlReport(`${'<!---->'.repeat(73)}x`)],
  ['comments without end', () => parseXmlReport(report('<!--'.repeat(1_000_000)))],
  ['sections without end', () => parseXmlReport(report('<AbstractText Label="a">'.repeat(150_000)))],
  ['terms without end', () => parseXmlReport(report(`<MeSH>${'<major>'.repeat(500_000)}</MeSH>`))],
  ['lists of terms without end', () => parseXmlReport(report('<MeSH>'.repeat(600_000)))],
  ['signs without end', () => parseXmlReport(report(`<MeSH><major>${'<'.repeat(4_000_000)}</major></MeSH>`))],
  ['numbers without end', () => parseXmlReport(`<eCitation>${'<uId '.repeat(800_000)}</eCitation>`)],
  ['literals without end', () => parseXmlReport(report(`<MeSH><major>${'<![CDATA['.repeat(400_000)}</major></MeSH>`))],
])('reads a file of 4 MB of %s in moments', (_name, read) => {
  const began = performance.now()
  read()
  expect(performance.now() - began).toBeLessThan(5000)
})
