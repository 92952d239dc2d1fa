package app

import (
	"fmt"
	"os"

	"github.com/stewardhq/steward/training"
)

// CurriculumReport is what the check of a curriculum found.
type CurriculumReport struct {
	Problems []training.Problem
	Changes  []training.Change // by the organisation's directory
	Modules  int
	Minutes  int
	Words    int
}

// CheckCurriculum checks the built-in curriculum, with an organisation's directory laid over
// it if one is named. A directory that is not there is a *UsageError.
func CheckCurriculum(dir string) (CurriculumReport, error) {
	c, err := loadCurriculum(dir)
	if err != nil {
		return CurriculumReport{}, err
	}
	return CurriculumReport{
		Problems: training.Check(c), Changes: c.Changes,
		Modules: len(c.Modules()), Minutes: c.Minutes(), Words: c.Words(),
	}, nil
}

func loadCurriculum(dir string) (*training.Curriculum, error) {
	if dir == "" {
		return training.Load()
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &UsageError{Message: fmt.Sprintf("%s is not a directory of modules, <track>/<id>.md", dir)}
	}
	return training.Load(training.Layer{Dir: dir, FS: os.DirFS(dir)})
}
