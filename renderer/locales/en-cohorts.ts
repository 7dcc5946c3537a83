/** Strings of first start, cohort list and cohort page. Numbers arrive formatted. */
export const enCohorts = {
  list: { title: 'Cohorts' },
}
