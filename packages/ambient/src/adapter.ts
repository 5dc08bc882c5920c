/** The sources by their names in a config file. */
export {}
