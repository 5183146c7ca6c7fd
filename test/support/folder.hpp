#pragma once

#include <string>

namespace postrider::support {

// A new folder with a short path (it may hold Unix sockets), readable by the unprivileged account; removed
// with all it holds by the destructor.
class temporary_folder {
 public:
    temporary_folder();
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
