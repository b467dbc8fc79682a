# Adaptive shrinkage with its weights found by mixsqp, the optimiser of ashr, stored as tests/data/shrink.json:
#   Rscript benchmarks/r/shrink.R > tests/data/shrink.json
# Posterior means and local false sign rates are written from Stephens (2017), as ash(values, errors, mixcompdist = "normal") defines them.
library(mixsqp)
set.seed(1)
shrunken <- function(b, s) {
  low <- min(s) / 10
  high <- if (all(b^2 <= s^2)) 8 * low else 2 * sqrt(max(b^2 - s^2))
  scales <- c(0, high * sqrt(2)^(-ceiling(log(high / low, sqrt(2))):0))
  likelihood <- sapply(scales, function(sd) dnorm(b, 0, sqrt(s^2 + sd^2)))
  null <- c(1, rep(0, length(scales) - 1))  # the penalty: nine observations that can only be zeros
  fit <- mixsqp(rbind(null, likelihood), c(9, rep(1, length(b))), control = list(verbose = FALSE, tol.svd = 0))
  shares <- t(fit$x * t(likelihood)); shares <- shares / rowSums(shares)
  keep <- outer(s^2, scales^2, function(e, v) v / (v + e))
  below <- pnorm(0, keep * b, sqrt(keep) * s); below[, 1] <- 0
  negative <- rowSums(shares * below); zero <- shares[, 1]
  list(values = b, errors = s, mean = rowSums(shares * keep * b), zero = fit$x[1],
       false_sign = zero + pmin(negative, 1 - zero - negative))
}
spread <- runif(150, 0.5, 2)
cases <- list(
  shrunken(c(rep(0, 120), rnorm(80, 0, 3)) + rnorm(200), rep(1, 200)),
  shrunken(rnorm(150, 0, 1.5) + rnorm(150, 0, spread), spread),
  shrunken(rnorm(100), rep(1, 100)),
  shrunken(c(rep(0, 30), 4, -6, 9) + rnorm(33, 0, 0.5), rep(0.5, 33)))
numbers <- function(x) paste0("[", paste(sprintf("%.10g", x), collapse = ", "), "]")
one <- function(case) sprintf('{"values": %s, "errors": %s, "mean": %s, "zero": %.10g, "false_sign": %s}', numbers(case$values),
  numbers(case$errors), numbers(case$mean), case$zero, numbers(case$false_sign))
cat("[", paste(sapply(cases, one), collapse = ",\n"), "]\n")
