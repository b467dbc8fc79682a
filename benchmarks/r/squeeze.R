# Variances moderated by limma, stored as tests/data/squeeze.json:  Rscript benchmarks/r/squeeze.R > tests/data/squeeze.json
library(limma)
set.seed(1)
cases <- list(
  list(var = 0.8 * rchisq(40, 2) / 2 * (3 / rchisq(40, 3)), df = rep(2, 40)),
  list(var = 3 * rchisq(30, 4) / 4 * (4 / rchisq(30, 4)), df = sample(c(1, 2, 4), 30, TRUE)),
  list(var = runif(25, 0.9, 1.1), df = rep(2, 25)))
out <- lapply(cases, function(case) { s <- squeezeVar(case$var, case$df)
  list(var = case$var, df = case$df, post = s$var.post, prior = s$var.prior, prior_df = s$df.prior) })
cat("[", paste(sapply(out, function(o) sprintf('{"var": [%s], "df": [%s], "post": [%s], "prior": %.12g, "prior_df": %s}',
  paste(sprintf("%.12g", o$var), collapse = ", "), paste(o$df, collapse = ", "), paste(sprintf("%.12g", o$post), collapse = ", "),
  o$prior, ifelse(is.infinite(o$prior_df), '"inf"', sprintf("%.12g", o$prior_df)))), collapse = ",\n"), "]\n")
