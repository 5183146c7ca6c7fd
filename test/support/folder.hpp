#pragma once

#include <string>

namespace postrider::support {

// A new folder with a short path (it may hold Unix sockets), readable by the unprivileged account; removed
// with all it holds by the destructor.
class temporary_folder {
 public:
    // In memory where there is room for small files (/dev/shm), so that who writes through to the disk waits
    // for none.
    enum class place { disk, memory };
    explicit temporary_folder(place where = place::disk);
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();

    const std::string& path() const { return path_; }

    // Writes a file into the folder and returns its full path.
    std::string write(const std::string& name, const std::string& text) const;

 private:
    std::string path_;
};

}  // namespace postrider::support
