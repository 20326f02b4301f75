"""Datasets, augmentation, recipes, training and evaluation."""
