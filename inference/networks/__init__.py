"""nn.Modules and nothing else."""
