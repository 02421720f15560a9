// Package config reads signalbox.yaml and the chain files, strictly: what is not declared is a fault,
// and all faults of all files are reported at once, each with file, line and column and, where one can
// be guessed, with what was probably meant.
//
// # One declaration per setting
//
// A [Setting] is declared once: name, type, default, check, help and example. That declaration decodes
// it, fills in its default, checks it and prints its part of the reference ([Reference]). Kinds of
// sources declare theirs in the same way in adapters/all ([Kind]), so an adapter never sees YAML.
//
// # Secrets
//
// A secret is never written into a file that this package reads, only a reference to it ([Secret]). No
// message of this package repeats the value of a setting that holds a secret, since people paste the
// secret itself there.
package config
