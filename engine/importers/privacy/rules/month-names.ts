/**
 * Names of the months in German, French, Spanish, Italian, Dutch, Portuguese, Polish, Czech, Slovak, Swedish, Danish, Norwegian, Finnish, Hungarian, Romanian,
 * Croatian, Serbian, Slovenian, Turkish, Estonian, Latvian, Lithuanian, Indonesian, Catalan, Welsh, Irish, Greek, Russian, Ukrainian and Bulgarian, as they
 * stand alone and behind a day, with accents and without; from the Unicode CLDR (Unicode licence) by `Intl.DateTimeFormat`. Written out, so that no other
 * edition of it changes what an import finds. Without the English ones, and without "mean", which is a word. "Listopad" is November (Polish, Czech).
 */
const months = [
  'eanair eanáir enero gener gennaio ianuarie ionawr jaanuar janeiro januar januara januari január januára janvaris janvier janvāris leden ledna ocak sausio sausis sijecanj sijecnja siječanj siječnja styczen styczeń stycznia tammikuu tammikuuta ιανουαρίου січень січня январь января януари јануар',
  'chwefror feabhra febbraio febrer febrero februar februara februari februarie februaris február februára februāris fevereiro fevrier février helmikuu helmikuuta lutego luty subat unor unora vasario vasaris veebruar veljaca veljace veljača veljače únor února şubat φεβρουαρίου лютий лютого фебруар февраль февраля февруари',
  'brezen brezna březen března kovas kovo maaliskuu maaliskuuta maart marc marca marcius marco marec maret mars mart marta martie marts marz marzec marzo març março mawrth március márta märts märz ozujak ozujka ožujak ožujka μαρτίου березень березня март марта',
  'abril aibrean aibreán april aprila aprile aprilie aprilis aprill apríl apríla aprīlis avril balandis balandzio balandžio duben dubna ebrill huhtikuu huhtikuuta kwiecien kwiecień kwietnia nisan travanj travnja április απριλίου апрель апреля април квітень квітня',
  'bealtaine geguze geguzes gegužė gegužės kveten kvetna květen května maggio mai maig maijs maio maj maja majus mayo mayıs mei máj mája május svibanj svibnja toukokuu toukokuuta μαΐου май мая мај травень травня',
  'birzelio birzelis birželio birželis cerven cervna czerwca czerwiec giugno haziran iunie juin jun juna junho juni junij junijs junio junius juny juuni jún júna június jūnijs kesakuu kesakuuta kesäkuu kesäkuuta lipanj lipnja mehefin meitheamh červen června ιουνίου июнь июня червень червня юни јун',
  'cervence cervenec gorffennaf heinakuu heinakuuta heinäkuu heinäkuuta iuil iulie iúil juillet jul jula julho juli julij julijs julio juliol julius juuli júl júla július jūlijs liepa liepos lipca lipiec luglio srpanj srpnja temmuz července červenec ιουλίου июль июля липень липня юли јул',
  'agost agosto agustos agustus aout août augusta augusti augusts augustus augusztus avgust awst ağustos elokuu elokuuta kolovoz kolovoza lunasa lúnasa rugpjucio rugpjutis rugpjūtis rugpjūčio sierpien sierpień sierpnia srpen srpna αυγούστου август августа серпень серпня',
  'eylul eylül medi rugsejis rugsejo rugsėjis rugsėjo rujan rujna septembra septembre septembrie septembris septiembre setembre setembro settembre syyskuu syyskuuta szeptember wrzesien wrzesień wrzesnia września zari září σεπτεμβρίου вересень вересня сентябрь сентября септембар септември',
  'deireadh ekim hydref lokakuu lokakuuta octobre octombrie octubre oktober oktobra oktobris oktoober október októbra ottobre outubro pazdziernik pazdziernika październik października rijen rijna spalio spalis říjen října οκτωβρίου жовтень жовтня октобар октомври октябрь октября',
  'kasım lapkricio lapkritis lapkričio listopad listopada listopadu marraskuu marraskuuta noiembrie novembra novembre novembris novembro noviembre samhain studeni studenoga tachwedd νοεμβρίου листопад листопада новембар ноември ноябрь ноября',
  'aralık decembra decembre decembrie decembris desember desembre detsember dezember dezembro dicembre diciembre décembre grudnia grudzien grudzień gruodis gruodzio gruodžio joulukuu joulukuuta nollaig prosinac prosinca prosince prosinec rhagfyr δεκεμβρίου грудень грудня декабрь декабря декември децембар',
]

const numbers = new Map(months.flatMap((names, index) => names.split(' ').map((name) => [name, index + 1] as const)))

/** Longest first: "juni" before "jun". */
export const foreignMonthNames = [...numbers.keys()].sort((a, b) => b.length - a.length).join('|')

/** 1 to 12. */
export const foreignMonthOf = (name: string): number => numbers.get(name.toLowerCase())!
