"""The scikit-learn faces of the package: parameters in, attributes out."""
