package main

import "golang.org/x/sys/windows"

func diskRoom(path string) (free, total uint64, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, err
	}
	var all uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, &total, &all)
	return free, total, err
}
