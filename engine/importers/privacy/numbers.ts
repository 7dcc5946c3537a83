/** Telephone numbers, addresses on the net and record numbers. */
import { anyCase } from './rules/any-case.ts'
import { spansOf, type Span } from './span.ts'

const email = /[\p{L}\p{N}._%+-]+\s?@\s?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gdu
/** Written so that no robot reads it: "anna (at) example.org", "j.smith [at] example [dot] com". */
const spelledEmail = /[\p{L}\p{N}._%+-]+\s?[([{]\s?at\s?[)\]}]\s?[\p{L}\p{N}-]+(?:\s?(?:\.|[([{]\s?dot\s?[)\]}])\s?[\p{L}\p{N}-]+)+|\b[\p{L}\p{N}_-]+(?: dot [\p{L}\p{N}_-]+){0,4} at [\p{L}\p{N}-]+(?: dot [\p{L}\p{N}-]+){1,4}/gdu
/** Hosts of a hospital's own net, shares, and folders, which carry names of persons more often than not. */
const inner = /\\\\[\w.$-]+(?:\\[^\s\\,;]+)*|\b[A-Z]:\\[^\s,;]+(?:\\[^\s,;]+)*|(?<![\w.])\/(?:home|Users|mnt|media|data|srv|share)\/[^\s,;]+|\b[a-z0-9-]{2,}(?:\.[a-z0-9-]+)*\.(?:local|lan|internal|intranet|corp|int)\b(?:[:/][^\s<>"')\]]*)?/gd
const handle = /(?=@)(?<=\b(?:twitter|instagram|facebook|tiktok|snapchat|skype|insta|handle|telegram|x)\b\s{0,3}[:=]?\s{0,3})@[\p{L}\d_.]{2,}/gdiu
const url = /(?:\b(?:https?|ftp):\/\/|\bwww\.)[^\s<>"')\]]+[^\s<>"')\].,;:]|\b[a-z0-9-]{2,}(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|info|health|nhs\.uk|co\.uk|ac\.uk|org\.uk|com\.au|de|fr|ca|ie|nl)\b(?:\/[^\s<>"')\]]*)?/gdi
const ip = /(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.])/gd

const phoneWord = /\b(?:tele(?:phone)?s?|tel|phones?|phoned|ph|fax(?:ed)?|mobile|mob|cell(?:phone)?|call(?:ed)?(?: ?back)?|contact(?:able)?|reach(?:ed|able)?|ring|voicemail|hotline|text(?:ed)?)\b\.?\s*(?:no\.?|number|nr\.?|#|on|at|to|is|via|him|her|them|home|work|office|:|-|\(h\)|\(w\)|\s)*[:\s]*(?<hit>\+?\(?\d(?:[\s().\-/]{0,2}\d){5,14}(?:,?\s*(?:ext(?:ension)?\.?|x)\s*\d{1,6})?)(?!\d)/gdi
const shortPhone = /\b(?:ext(?:ension|n)?|pager|beeper|bleep(?:ed)?|paged|dect|internal)\b\.?\s*(?:no\.?|number|#|on|at|is|:|\s)*[:\s]*(?<hit>\d{3,10}(?:[-\s]\d{3,4})*)(?!\d|\s?(?:cm|mm|ml|mg|degrees))/gdi
/** A zero read as the letter; the extension belongs to the number. */
const extension = '(?:,?\\s*(?:ext(?:ension)?\\.?|x)\\s*\\d{1,6}(?!\\d))?'
const phoneShapes = [
  /(?<![\p{L}\d])[oO]\d{3,4}[\s-]\d{3}[\s-]?\d{3,4}(?!\d)/gdu,
  /(?<![\d.\p{L}-])\+\d{1,3}[\s.-]?(?:\(0?\)\s?)?(?:\(?\d{1,5}\)?[\s./-]?){2,5}\d{2,}(?!\d)/gdu,
  new RegExp(`(?<![\\d.-])(?:1[\\s.-])?(?:\\(\\d{3}\\)\\s?|\\d{3}[-.\\s])\\d{3}[-.\\s]\\d{4}(?!\\d|[-.]\\d)${extension}`, 'gdi'),
  new RegExp(`(?<![\\d.-])\\(?0\\d{2,4}\\)?[\\s-]\\d{3,4}[\\s-]?\\d{3,4}(?!\\d)${extension}`, 'gdi'),
  /(?<![\d./-])0\d{9,10}(?!\d)/gd,
  /(?<![\d.-])(?<!\b(?:range|vn|normal|from|between)\s\(?)\d{3}-\d{4}(?!\d|-|\s?(?:mg|ml|mm|cm|cells|\/|x|u\b|iu\b|hu\b|ms\b))/gdi,
  /(?<![\d.-])\(?0\d{1,4}\)?(?:\s\d{2}){3,5}(?!\d)/gd,
  /(?<![\d.-])00[1-9]\d{0,2}[\s./-](?:\d{1,5}[\s./-]?){2,5}(?!\d)/gd,
  /(?<=\b(?:number|no\.?|nr\.?)\s(?:is|was)?\s{0,3}:?\s{0,3})\d{3}[.\s-]\d{4}(?!\d|[.,]\d)/gdi,
]

/** E-mail, web and network addresses. */
export const emailSpans = (text: string): Span[] => [...(text.includes('@') ? [email] : []), ...(/\bat\b/.test(text) ? [spelledEmail] : [])].flatMap((pattern) => spansOf(text, pattern, 'emails', '[EMAIL]'))
export const urlSpans = (text: string): Span[] => [...(/\.\S|[\\/@]/.test(text) ? [url, inner, handle] : []).flatMap((pattern) => spansOf(text, pattern, 'urls', '[URL]')), ...spansOf(text, ip, 'urls', '[URL]', (start) => !/\b(?:version|v|icd\S*)\s*$/i.test(text.slice(0, start)))]

/** Telephone, fax and pager numbers. */
export function phoneSpans(text: string): Span[] {
  // Every pattern needs a digit, and most sentences have none.
  if (!/\d/.test(text)) return []
  const accept = (start: number, end: number): boolean => digitsIn(text.slice(start, end)) >= 6
  return [
    ...spansOf(text, phoneWord, 'phones', '[PHONE]', accept), ...spansOf(text, shortPhone, 'phones', '[PHONE]'),
    ...phoneShapes.flatMap((pattern) => spansOf(text, pattern, 'phones', '[PHONE]', (start, end) => digitsIn(text.slice(start, end)) >= 7)),
  ]
}

const mark = '(?:\\s*(?:no|nr|num|number|id|identifier|code|#|№)\\b\\.?|\\s*[#№])'
const token = '(?<hit>(?=[\\p{L}\\d/.-]*\\d)[\\p{L}\\d](?:[\\p{L}\\d]|[-/.](?=[\\p{L}\\d])|\\s(?=\\d{3,4}(?:\\s\\d|\\b)(?!\\s*(?:mg|ml|cm|mm)))){2,})'
/** Words that never mean anything but a number of a person or a document. */
const strong = new RegExp(`\\b(?:mrns?|m\\.r\\.n\\.?|medical record|health record|hospital number|hosp(?:ital)?|nhi|urn|umrn|uhid|upi|emr|ehr|ssn|s\\.s\\.n\\.?|social security|accession|acc|acct|account|billing|invoice|claim|insurance|insurer|policy|member(?:ship)?|subscriber|beneficiary|medicare|medicaid|nhs|health ?card|passport|driver'?s? licen[cs]e|driving licen[cs]e|licen[cs]e(?: plate)?|number plate|registration|reg|certificate|national insurance|nino|tax|serial|s/n|device|implant|specimen|biopsy|requisition|req|encounter|fin|csn|iban|credit card|vehicle|vin)${mark}?\\s*(?:[:=#-]|is|was)?\\s*(?:\\p{Lu}{2,12}\\s)?${token}`, 'gdiu')
/** Words that mean much else besides; the sign for a number must stand after them. */
const weak = new RegExp(`\\b(?:patients?|pts?|case|chart|record|file|folder|episode|admission|visit|order|exam(?:ination)?|study|scan|report|document|doc|request|referral|ref(?:erence)?|unit|room|bed|hospital|clinic|lab(?:oratory)?|slide|sample|subject|participant|group|film|image|id|identification|identifier|our ref|your ref)(?:${mark}|(?=\\s*:))\\s*[:=#]?\\s*${token}`, 'gdiu')
const bareId = new RegExp(`(?<![\\p{L}\\d])(?:id|pid|hn|pt id)\\s*[:=#]?\\s*${token}`, 'gdiu')
/** Any three words and the sign for a number: "pathology no. H19/22817", "booking ref YT882013", "Case # NM19-7721", "Policy XEH 907 551 220". */
const signed = new RegExp(anyCase(String.raw`(?<![\p{L}\d])(?i:no|nr|num|number|nummer|numéro|número|numero|ref|reference|id|policy|group|card|voucher|awb|tracking|consignment|keysafe|key ?safe|incident|collar(?: no)?|claim|imei|gmc|goc|nmc|hcpc|gphc|npi|pesel|ahv|dni|nie|bsn|cpf|rut|curp|aadhaar|pan|nric|fin|ihi|ppsn|hkid|ssnr|personnummer|steuer-?id|versichertennummer|codice fiscale|pat|chi|h&c|empi|mrc|specimen|sample|auth|booking|order|permit|visa|id ?card)\.?(?i:[- ]?nr\.?| no\.?| number| id)?[ \t]{0,3}[:=#|]?[ \t]{0,3}#?[ \t]?(?<hit>(?=[\p{Lu}\d /.-]{0,30}\d)(?:\p{Lu}{1,4}[ /-]?)?\d[\p{Lu}\d]*(?:[ ./-](?=[\p{Lu}\d]*\d|\p{Lu}(?![\p{L}\d]))[\p{Lu}\d]+){0,6})(?![\p{L}\d]|[.,]\d|\s?(?i:mg|ml|mm|cm|g|kg|mmol|%|years?|days?|weeks?|months?|of|x)\b)`), 'gdu')
/** The label on a line of its own, the number on the next. */
const nextLine = /(?<=(?:^|\n)[ \t]{0,4}(?:unit|hospital|hosp|patient|nhs|mrn|record|medical record|case|accession|id|chi|reference|ref)[ \t.]{0,2}(?:no|nr|number|id)?[.:]{0,2}[ \t]{0,4}\n{1,2}[ \t]{0,4})(?=[\p{L}\d /.-]{0,30}\d{2})[\p{L}\d][\p{L}\d /.-]{2,24}[\p{L}\d](?=[ \t]{0,4}(?:\n|$))/gdiu
const shapes = [
  /(?<=(?<![\p{L}\d])(?:PC|WPC|DC)\s)\d{3,5}(?!\d)/gdu,
  // Numbers that states give: Spain, Switzerland, Brazil, Singapore, Italy, India and other groups of four, Sweden.
  /(?<![\p{L}\d.-])(?:[XYZ]\d{7}|\d{8})[- ]?[A-HJ-NP-TV-Z](?![\p{L}\d])/gdu,
  /(?<!\d)756\.\d{4}\.\d{4}\.\d{2}(?!\d)/gd,
  /(?<![\d.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)/gd,
  /(?<![\p{L}\d])[STFGM]\d{7}[A-Z](?![\p{L}\d])/gdu,
  /(?<![\p{L}\d])[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z](?![\p{L}\d])/gdu,
  /(?<![\d.,/-])(?:\p{Lu}\d{4}|\d{4})(?: \d{4}){2,3}(?: \d{1,3})?(?!\d|[.,/]\d)/gdu,
  /(?<![\d.,/-])(?:19|20)?\d{6}[-+]\d{4}(?!\d)/gd,
  /(?<![\p{L}\d])(?:xxx|XXX|\*{3})-(?:xx|XX|\*{2})-(?<hit>\d{4})(?!\d)/gdu,
  // Digits and letters in one, six digits and more: "20B771204".
  /(?<![\p{L}\d./-])(?=(?:\p{Lu}?\d){6}|\d{1,4}\p{Lu}{1,3}\d{5})\d{1,8}\p{Lu}{1,3}\d{3,}(?![\p{L}\d])/gdu,
  // A reference of an office: "PHV/22/8841", "KNH/2019/00721".
  /(?<![\p{L}\d/])\p{Lu}{2,5}\/(?:\p{L}{2,3}\/)?\d{2,4}\/\d{2,}(?![\d/])/gdu,
  /(?<![\p{L}\d])\p{Lu}\d{2}\/\d{4,}(?![\d/])/gdu,
  // Behind "#": "#90021-A", "PA#7733912".
  /(?<=(?<!\d)#\s?)\d{4,}(?:-[\p{L}\d]{1,4})?(?![\p{L}\d])/gdu,
  /(?<![\d.-])\d{3}-\d{2}-\d{4}(?![\d-])/gd,
  /(?<![\d.-])\d{3}[ -]\d{3}[ -]\d{4}(?!\d)/gd,
  /(?<![\d.,\p{L}/-])\d{7,}(?![\d\p{L}]|[.,]\d|\s?(?:\/|%|x\s?10|cells?|copies|iu|u\b|mm|ml|µ|units|platelets))/gdiu,
  /(?<![\p{L}\d])(?=[\p{Lu}\d-]*(?:\d[\p{Lu}-]*){5})\p{Lu}{1,6}[-/ ]?\d[\d\p{Lu}/-]{3,}\d\p{Lu}?(?![\p{L}\d])/gdu,
  /(?<![\p{L}\d-])\d{2,4}[-/]\p{Lu}{1,4}[-/]?\d{3,}(?![\p{L}\d])/gdu,
  /(?<![\p{L}\d])\p{Lu}{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D](?![\p{L}\d])/gdu,
  /(?<!\d)#\s?(?<hit>\d{5,})(?!\d)/gd,
  // Unique identifiers of DICOM, of devices (GS1), of sessions; names of picture files.
  /(?<![\d.])[0-2](?:\.\d+){6,}(?![\d.]\d)/gd,
  /\(01\)\s?\d{8,14}(?:\s?\(\d{2}\)\s?[\w-]{2,20})*/gd,
  /(?<![\da-f])[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?![\da-f])/gdi,
  /(?<![\p{L}\d])(?=\w*\d{4})\p{L}{2,8}(?:_\w+)+(?![\p{L}\d])/gdu,
  // Grouped as their countries write them, behind their own word.
  /(?<=\b(?:SSN|social security(?: (?:no|number))?)\b\.?\s{0,3}[:#=]?\s{0,3})\d{3}[ -]\d{2}[ -]\d{4}/gdi,
  /(?<=\bmedicare(?: (?:no|number|card))?\b\.?\s{0,3}[:#=]?\s{0,3})\d{4}[ -]?\d{5}[ -]?\d(?:[ -/]\d)?/gdi,
  /(?<=\b(?:reg|registration|plate|vehicle|car|vrm)\b\.?(?: (?:no|number|plate|reg))?\.?\s{0,3}[:#=]?\s{0,3})[A-Z]{1,3}\d{1,3}\s?[A-Z]{0,3}(?![\p{L}\d])/gdu,
  /(?<=\b[Ll](?:ot|OT)(?: (?:no|number|LOT))?\.?\s{0,3}[:#=]?\s{0,3})(?=[A-Z\d-]*\d{3})[A-Z\d][A-Z\d-]{3,}/gdu,
  /(?<=\b[Hh]osp(?:ital)? (?:[Nn]o|[Nn]umber|ID)\.?\s{0,3}[:#=]?\s{0,3})[A-Z]{1,3}\d?\s?\d{4,8}(?!\d)/gdu,
]
/** Codes with many digits that say what was done, not to whom. */
const harmless = /^(?:covid|sars|ncov|h\d+n\d+|icd|cpt|snomed|loinc|nct|cyp|hla|cd)\b|^NCT\d/i
const unitAfter = /^\s?(?:mg|g|kg|mcg|µg|ml|l|cm|mm|m|hz|kv|kvp|mas|ma|msv|mgy|bpm|mmhg|%|years?|days?|weeks?|months?|y\/?o|hours?|units?|iu)\b/i

/** Numbers of records, accounts, insurances and documents. */
export function recordSpans(text: string): Span[] {
  if (!/\d/.test(text)) return []
  const isCode = (start: number, end: number): boolean => {
    const hit = text.slice(start, end)
    return digitsIn(hit) >= 3 && !harmless.test(hit) && !unitAfter.test(text.slice(end)) && !/^\d{1,3}\.\d+$/.test(hit) && !/^(?:19|20)\d\d$/.test(hit)
  }
  const isShape = (start: number, end: number): boolean => !harmless.test(text.slice(start, end)) && !/\b(?:cpt|icd|snomed|loinc)\S*\s*:?\s*$/i.test(text.slice(0, start))
  return [strong, weak, bareId, signed, nextLine].flatMap((pattern) => spansOf(text, pattern, 'record-numbers', '[NUMBER]', isCode))
    .concat(shapes.flatMap((pattern) => spansOf(text, pattern, 'record-numbers', '[NUMBER]', isShape)))
}

export function digitsIn(text: string): number {
  return text.replace(/\D/g, '').length
}
