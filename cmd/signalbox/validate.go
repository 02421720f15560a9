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
			fmt.Fprintf(a.out, "%s: good: %s, %s, %s\n", a.configPath,
				count(len(cfg.Sources), "source"), count(len(cfg.Chains), "chain"), count(len(cfg.Warnings), "warning"))
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

// count says "1 chain" or "2 chains".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
