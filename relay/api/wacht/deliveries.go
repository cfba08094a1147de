package wacht

// logRoutes are those of deliveries and figures.
func (d *dialect) logRoutes() map[string]handler { return nil }
