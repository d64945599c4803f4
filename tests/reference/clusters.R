# Writes clusters.json: what mclust 6.0.0 says of merging (clustCombi) and of projections (MclustDR), and Hennig's
# directly estimated misclassification probabilities, by their definition. Run in this folder: Rscript clusters.R
suppressMessages(library(mclust))

json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0("\"", names(x), "\": ", sapply(x, json), collapse = ",\n"), "}"))
  if (is.matrix(x)) return(paste0("[", paste(apply(x, 1, json), collapse = ",\n"), "]"))
  if (is.character(x)) return(paste0("\"", x, "\""))
  text <- paste(format(x, digits = 17, trim = TRUE, scientific = TRUE), collapse = ", ")
  if (length(x) == 1 && is.null(attr(x, "vector"))) text else paste0("[", text, "]")
}
vector <- function(x) structure(x, vector = TRUE)

parameters <- function(m) list(
  weights = vector(m$parameters$pro), means = t(m$parameters$mean),
  covariances = matrix(m$parameters$variance$sigma, nrow = m$G, byrow = TRUE))

# P(t_i > t_j | j): a row of j looks more like one of i
confusion <- function(z, i, j) sum(z[z[, i] > z[, j], j]) / sum(z[, j])

demp <- function(z) {
  pairs <- values <- c()
  while (ncol(z) > 1) {
    best <- c(-1, 0, 0)
    for (i in 1:(ncol(z) - 1)) for (j in (i + 1):ncol(z)) {
      value <- max(confusion(z, i, j), confusion(z, j, i))
      if (value > best[1]) best <- c(value, i, j)
    }
    values <- c(values, best[1]); pairs <- c(pairs, best[2:3] - 1)
    z[, best[2]] <- z[, best[2]] + z[, best[3]]
    z <- z[, -best[3], drop = FALSE]
  }
  list(pairs = vector(pairs), values = vector(values))
}

combine <- function(X, G, model) {
  m <- Mclust(X, G = G, modelNames = model, verbose = FALSE)
  m$z <- predict(m, X)$z  # of the parameters as they are reported
  found <- clustCombi(m)
  entropies <- numeric(G); pairs <- c(); z <- m$z
  for (k in G:1) {
    z <- t(found$combiM[[k]] %*% t(z))
    entropies[k] <- -sum(z[z > 0] * log(z[z > 0]))
    if (k < G) pairs <- c(pairs, which(found$combiM[[k]][which(rowSums(found$combiM[[k]]) == 2), ] == 1) - 1)
  }
  c(parameters(m), list(pairs = vector(pairs), entropies = vector(entropies),
    n_clusters = clustCombiOptim(found)$numClusters.combi, demp = demp(m$z)))
}

turn <- function(X, G, model, lambda) {
  m <- Mclust(X, G = G, modelNames = model, verbose = FALSE)
  dr <- MclustDR(m, lambda = lambda)
  c(parameters(m), list(lambda = lambda, basis = dr$basis, eigenvalues = vector(dr$evalues[seq(dr$numdir)])))
}

write(json(list(
  faithful = combine(faithful, 6, "VVV"),
  iris = combine(iris[, 1:4], 6, "EEE"),
  iris_means = turn(iris[, 1:4], 3, "VEV", 1),
  iris_both = turn(iris[, 1:4], 3, "VEV", 0.5),
  faithful_both = turn(faithful, 3, "VVV", 0.5)
)), "clusters.json")

# The rows of clustvarsel's vignette (2.3.4), whose output has the steps that test_clusters.py expects
n <- 200
X <- matrix(0, n, 5, dimnames = list(NULL, paste0("X", 1:5)))
set.seed(1234)
u <- runif(n)
X[u < 0.5, 1:2] <- MASS::mvrnorm(sum(u < 0.5), mu = c(0, 0), Sigma = matrix(c(1, 0.5, 0.5, 1), 2))
X[u >= 0.5, 1:2] <- MASS::mvrnorm(sum(u >= 0.5), mu = c(3, 3), Sigma = matrix(c(1.5, -0.7, -0.7, 1.5), 2))
X[, 3] <- X[, 1] + rnorm(n)
X[, 4] <- rnorm(n, mean = 1.5, sd = 2)
X[, 5] <- rnorm(n, mean = 2, sd = 1)
write.csv(round(X, 6), "clustvarsel.csv", row.names = FALSE)
