package catalog

// Load is what the first Builtin does.
func Load() error {
	_, err := load()
	return err
}
