package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"signalbox/adapters/all"
	"signalbox/config"
)

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration and all chain files; report every fault at once",
		Long: "Checks the configuration and all chain files, reports every fault as file:line:column, and changes\n" +
			"nothing. It asks no source. Exit code 2 if anything is wrong.",
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: good: %d sources, %d chains, %d warnings\n",
				a.configPath, len(cfg.Sources), len(cfg.Chains), len(cfg.Warnings))
			return nil
		},
	}
}

func (a *app) configCommand() *cobra.Command {
	cmd := group(&cobra.Command{Use: "config", Short: "About the configuration"})
	cmd.AddCommand(&cobra.Command{
		Use:   "reference",
		Short: "Print every setting with its meaning, default and an example",
		Args:  args(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return config.Reference(a.out, all.Kinds()) },
	})
	return cmd
}
