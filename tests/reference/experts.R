# Reference values for mixtures of regressions, from R's flexmix and mixtools:
#
#     Rscript tests/reference/experts.R > tests/reference/experts.json
#
# Data are written along, since they come with these packages. Each fit is the best of 50 from random starts.
# flexmix divides residuals by degrees of freedom, so that its likelihoods are below the maxima. Of the tone data
# fits with a deviation below 0.02 are left out: there is a higher maximum, where one line has a third of the rows
# to within 0.005, and mixtools' documentation has the one below.
suppressMessages({
  library(flexmix)
  library(mixtools)
  library(jsonlite)
})
set.seed(1)

data("NPreg", package = "flexmix")
npreg <- stepFlexmix(yn ~ x + I(x^2), data = NPreg, k = 2, nrep = 50, verbose = FALSE,
                     control = list(tol = 1e-12, iter = 2000))
order_npreg <- order(colMeans(parameters(npreg)[1, , drop = FALSE]))
concomitant <- stepFlexmix(yn ~ x + I(x^2), data = NPreg, k = 2, nrep = 50, verbose = FALSE,
                           concomitant = FLXPmultinom(~x), control = list(tol = 1e-12, iter = 2000))

data("Nclus", package = "flexmix")
nclus <- stepFlexmix(Nclus ~ 1, k = 4, nrep = 50, verbose = FALSE,
                     model = FLXMCmvnorm(diagonal = FALSE), control = list(tol = 1e-12, iter = 2000))

data("tonedata", package = "mixtools")
best <- NULL
for (i in 1:50) {
  invisible(capture.output(tone <- try(regmixEM(tonedata$tuned, tonedata$stretchratio, epsilon = 1e-12, maxit = 5000), silent = TRUE)))
  if (inherits(tone, "try-error") || min(tone$sigma) < 0.02) next
  if (is.null(best) || tone$loglik > best$loglik) best <- tone
}

poisson <- stepFlexmix(yp ~ x, data = NPreg, k = 2, nrep = 20, verbose = FALSE,
                       model = FLXMRglm(family = "poisson"), control = list(tol = 1e-12, iter = 2000))

refit <- suppressWarnings(refit(npreg))
errors <- sapply(refit@components[[1]], function(each) as.matrix(each)[, "Std. Error"])

cat(toJSON(list(
  npreg = list(x = NPreg$x, y = NPreg$yn, counts = NPreg$yp, poisson_log_likelihood = as.numeric(logLik(poisson)),
               poisson_parameters = parameters(poisson), log_likelihood = as.numeric(logLik(npreg)),
               parameters = parameters(npreg), standard_errors = errors,
               log_likelihood_concomitant = as.numeric(logLik(concomitant))),
  nclus = list(X = Nclus, log_likelihood = as.numeric(logLik(nclus))),
  tone = list(stretchratio = tonedata$stretchratio, tuned = tonedata$tuned, log_likelihood = best$loglik,
              beta = best$beta, sigma = best$sigma, lambda = best$lambda)
), digits = 15, auto_unbox = TRUE))
cat("\n")
