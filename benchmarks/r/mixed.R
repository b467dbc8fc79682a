# Fits one mixed model with lme4 and prints what crossgraft's tests compare with, as JSON.
#
#     Rscript mixed.R rows.csv "y ~ 1 + (1 | model)"
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1])
started <- proc.time()[["elapsed"]]
found <- suppressMessages(lmer(
  as.formula(arguments[2]), data = rows, REML = TRUE,
  control = lmerControl(optimizer = "bobyqa", calc.derivs = FALSE, optCtrl = list(rhoend = 1e-9, maxfun = 1e5))
))
seconds <- proc.time()[["elapsed"]] - started
components <- as.data.frame(VarCorr(found))
pairs <- function(names, values) paste(sprintf('"%s": %.12g', names, values), collapse = ", ")
fixed <- coef(summary(found))
cat(sprintf(
  '{"lme4": "%s", "seconds": %.2f, "deviance": %.10f, "components": {%s}, "fixed": [%s], "errors": [%s]}\n',
  packageVersion("lme4"), seconds, REMLcrit(found), pairs(tolower(components$grp), components$vcov),
  paste(sprintf("%.10g", fixed[, 1]), collapse = ", "), paste(sprintf("%.10g", fixed[, 2]), collapse = ", ")
))
