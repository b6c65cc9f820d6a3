"""Activity data to emissions: fuels, refrigerants, processes, heat, steam, cooling and scope 3, one file each."""
